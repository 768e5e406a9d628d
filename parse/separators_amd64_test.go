package parse

import "unsafe"

type finder = func(data []byte, blocks, at int, before uint64, out []int32) (n int, last, high uint64)

// kinds are the ways to find separators that work on this machine.
func kinds() map[string]finder {
	kinds := map[string]finder{"portable": separatorsPortable, "chosen": separatorsOf}
	if hasAVX2 {
		kinds["AVX2"] = func(data []byte, blocks, at int, before uint64, out []int32) (int, uint64, uint64) {
			return separatorsAVX2(unsafe.SliceData(data), blocks, at, before, &out[0])
		}
	}
	if hasAVX512 {
		kinds["AVX512"] = func(data []byte, blocks, at int, before uint64, out []int32) (int, uint64, uint64) {
			return separatorsAVX512(unsafe.SliceData(data), blocks, at, before, &out[0])
		}
	}
	return kinds
}

func hasValues() bool { return hasAVX2 }
