package parse

import "golang.org/x/sys/cpu"

// separatorsAVX2 and separatorsAVX512 are separatorsPortable for processors that have AVX2 with BMI, and AVX-512
// with VBMI2.
//
//go:noescape
func separatorsAVX2(data *byte, blocks, at int, before uint64, out *int32) (n int, last, high uint64)

//go:noescape
func separatorsAVX512(data *byte, blocks, at int, before uint64, out *int32) (n int, last, high uint64)

var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT
	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI2 && cpu.X86.HasPOPCNT
)

// separatorsOf finds the white space in so many times 64 bytes of data, the first of which is at a position: it
// appends the positions to out, which has room for half as many as there are bytes, and 16 more. before is 1 if white
// space comes before data, last if it ends with some, and high is not 0 if a byte is not ASCII. n is -1 if two are neighbours.
func separatorsOf(data []byte, blocks, at int, before uint64, out []int32) (n int, last, high uint64) {
	if blocks == 0 {
		return 0, before, 0
	}
	_, _ = data[64*blocks-1], out[32*blocks+15]
	switch {
	case hasAVX512:
		return separatorsAVX512(&data[0], blocks, at, before, &out[0])
	case hasAVX2:
		return separatorsAVX2(&data[0], blocks, at, before, &out[0])
	}
	return separatorsPortable(data, blocks, at, before, out)
}
