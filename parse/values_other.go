//go:build !amd64

package parse

func int64s(data []byte, seps []int32, stride, most int, out []int64) int { return 0 }

func int32s(data []byte, seps []int32, stride int, max int64, out []int32) int { return 0 }

func ipv4s(data []byte, seps []int32, stride int, out [][16]byte) int { return 0 }

func knownWords(data []byte, seps []int32, stride int, known *[1 << textBits]uint64, codes *[1 << textBits]int32, out []int32) int {
	return 0
}
