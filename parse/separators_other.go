//go:build !amd64

package parse

func separatorsOf(data []byte, blocks, at int, before uint64, out []int32) (n int, last, high uint64) {
	return separatorsPortable(data, blocks, at, before, out)
}
