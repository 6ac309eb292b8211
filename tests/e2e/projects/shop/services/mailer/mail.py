print("no mail today")
