//go:build !amd64

package parse

import "flowlog/parse/schema"

func validAddrs(data []byte, seps []int32, stride, rows int) int {
	return validAddrsPortable(data, seps, stride, rows)
}

func numbersOf(cols []*schema.Column) func(data []byte, seps []int32, stride, rows int) int {
	return numbersPortable(cols)
}
