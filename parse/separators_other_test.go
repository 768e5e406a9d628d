//go:build !amd64

package parse

type finder = func(data []byte, blocks, at int, before uint64, out []int32) (n int, last, high uint64)

func kinds() map[string]finder {
	return map[string]finder{"portable": separatorsPortable, "chosen": separatorsOf}
}

func hasValues() bool { return false }
