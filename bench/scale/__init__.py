"""Does the cost grow? Each measurement at two sizes, on the same machine in the same minute."""
