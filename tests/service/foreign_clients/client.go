// Adds a fact and asks for it, with Go's net/http as it comes.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	url, key, fact, query := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	post(url+"/triples/add", key, fact)
	os.Stdout.Write(post(url+"/query", key, query))
}

func post(url, key, body string) []byte {
	request, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		log.Fatal(answer.Status, string(content), err)
	}
	return content
}
