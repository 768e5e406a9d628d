package main

import (
	"context"
	"flowlog/parse"
	"flowlog/parse/schema"
)

func main() {
	p, _ := schema.Logged().Project("bytes")
	parse.Scan(context.Background(), parse.Paths(nil, "x"), p, parse.Options{}, func(schema.Batch) error { return nil })
}
