//go:build !amd64

package parse

// blankMasks has, for each 64 bytes of data, a bit for each byte, set where it is white space. There are so many
// masks, and at least as many times 64 bytes.
func blankMasks(data []byte, masks []uint64) { blankMasksPortable(data, masks) }
