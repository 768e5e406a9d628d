package parse

import "golang.org/x/sys/cpu"

// blankMasksAVX2 is blankMasksPortable for processors that have AVX2.
//
//go:noescape
func blankMasksAVX2(data *byte, masks *uint64, blocks int)

var hasAVX2 = cpu.X86.HasAVX2

// blankMasks has, for each 64 bytes of data, a bit for each byte, set where it is white space. There are so many
// masks, and at least as many times 64 bytes.
func blankMasks(data []byte, masks []uint64) {
	if len(masks) == 0 {
		return
	}
	_ = data[64*len(masks)-1]
	if hasAVX2 {
		blankMasksAVX2(&data[0], &masks[0], len(masks))
	} else {
		blankMasksPortable(data, masks)
	}
}
