package main

import (
	"context"
	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/parse/schema"
)

func main() {
	p, _ := schema.Logged().Project("bytes")
	s, _ := s3.New(context.Background(), "", s3.Options{})
	parse.Scan(context.Background(), s, p, parse.Options{}, func(schema.Batch) error { return nil })
}
