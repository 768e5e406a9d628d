package parse

//go:noescape
func int64sAVX2(data *byte, seps *int32, stride, rows, most int, out *int64) (n int)

//go:noescape
func int32sAVX2(data *byte, seps *int32, stride, rows int, max uint64, out *int32) (n int)

//go:noescape
func ipv4sAVX2(data *byte, seps *int32, stride, rows int, shapes *ipv4Shapes, out *[16]byte) (n int)

//go:noescape
func knownWordsAVX2(data *byte, seps *int32, stride, rows int, words *[1 << textBits]uint64, codes *[1 << textBits]int32, out *int32) (n int)

// knownWords codes texts of up to eight bytes that are among known ones (see regularText). Like the functions below it
// stops at the first token that is not.
func knownWords(data []byte, seps []int32, stride int, known *[1 << textBits]uint64, codes *[1 << textBits]int32, out []int32) int {
	if !hasAVX2 || len(out) == 0 {
		return 0
	}
	_ = seps[(len(out)-1)*stride+1]
	return knownWordsAVX2(&data[0], &seps[0], stride, len(out), known, codes, &out[0])
}

// int64s, int32s and ipv4s read tokens of data, one of each row: between the first two of seps, then between those
// that are stride further, until out is full. They stop at a token that is not what nearly all are, and return how
// many they have read, which may be none.

// int64s reads numbers of up to most digits, which are at most 16.
func int64s(data []byte, seps []int32, stride, most int, out []int64) int {
	if !hasAVX2 || len(out) == 0 {
		return 0
	}
	_ = seps[(len(out)-1)*stride+1]
	return int64sAVX2(&data[0], &seps[0], stride, len(out), most, &out[0])
}

// int32s reads numbers of up to ten digits that are not above max.
func int32s(data []byte, seps []int32, stride int, max int64, out []int32) int {
	if !hasAVX2 || len(out) == 0 {
		return 0
	}
	_ = seps[(len(out)-1)*stride+1]
	return int32sAVX2(&data[0], &seps[0], stride, len(out), uint64(max), &out[0])
}

// ipv4s reads IPv4 addresses.
func ipv4s(data []byte, seps []int32, stride int, out [][16]byte) int {
	if !hasAVX2 || len(out) == 0 {
		return 0
	}
	_ = seps[(len(out)-1)*stride+1]
	return ipv4sAVX2(&data[0], &seps[0], stride, len(out), &ipv4, &out[0])
}

// ipv4Shapes is what the lengths of the octets of an IPv4 address say of its text, which is the last of 16 bytes.
// Shapes are numbered from 1, by the lengths of the last three.
type ipv4Shapes struct {
	shuffle [28][16]byte     // where the digits of each octet are, three of them and nothing
	least   [28][4][4]uint32 // each octet, by the length of the first: less would have a zero in front
	byDots  [1 << 12]uint8   // the shape, by the places of the dots from byte 4 on
}

var ipv4 = func() (t ipv4Shapes) {
	least := [4]uint32{0, 0, 10, 100}
	shape := 0
	for b := 1; b <= 3; b++ {
		for c := 1; c <= 3; c++ {
			for d := 1; d <= 3; d++ {
				shape++
				dots := [3]int{16 - d - c - b - 3, 16 - d - c - 2, 16 - d - 1}
				t.byDots[1<<dots[0]>>4|1<<dots[1]>>4|1<<dots[2]>>4] = uint8(shape)
				for octet, end := range [4]int{dots[0], dots[1], dots[2], 16} {
					for digit := range 4 {
						from := end - 3 + digit
						if length := [4]int{3, b, c, d}[octet]; digit == 3 || digit < 3-length {
							from = 0x80 // zero
						}
						t.shuffle[shape][4*octet+digit] = byte(from)
					}
				}
				for a := 1; a <= 3; a++ {
					t.least[shape][a] = [4]uint32{least[a], least[b], least[c], least[d]}
				}
			}
		}
	}
	return t
}()
