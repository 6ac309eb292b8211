// Loads the readings of three sensors. Without a driver: what it sends is built here.
package main

import (
	"fmt"
	"log"
	"net/url"
	"os"
)

func main() {
	address, err := url.Parse(os.Getenv("MONGO_URI"))
	if err != nil {
		log.Fatal(err)
	}
	server, err := connect(address)
	if err != nil {
		log.Fatal(err)
	}
	run := os.Getenv("RUN_ID")
	var updates array
	for number, celsius := range []int32{19, 21, 24} {
		id := fmt.Sprintf("sensor-%d", number)
		reading := document{{"_id", id}, {"celsius", celsius}, {"run_id", run}}
		updates = append(updates, document{{"q", document{{"_id", id}}}, {"u", reading}, {"upsert", true}})
	}
	if _, err := server.command("field", document{{"update", "readings"}, {"updates", updates}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(updates), "readings")
}
