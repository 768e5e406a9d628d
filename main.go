// Flowlog analyses AWS VPC and Transit Gateway flow logs: see README.md.
package main

import (
	"os"

	"flowlog/cmd"
)

func main() {
	os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
