package schema

import (
	"bytes"
	"fmt"
	"hash/crc32"
)

// ParquetWriter is the created_by of Parquet files that flowlog writes. Readers look for the word "version" in it before
// they trust statistics. Other writers may copy the key-value metadata of such a file, but not this.
const ParquetWriter = "flowlog version 1"

// PartialMagic is what a file of partial results begins with; the version of what follows comes behind it.
const PartialMagic = "flowlog partial result "

// FooterSumKey is the metadata key of a Parquet file's footer checksum, which the format itself lacks. NoFooterSum is the
// placeholder while the footer is built.
const (
	FooterSumKey = "flowlog.footer.crc32"
	NoFooterSum  = "00000000"
)

// footerSum precedes the digits, in Thrift's compact protocol: the key, then field 2, a string of 8 bytes.
var footerSum = []byte(FooterSumKey + "\x18\x08")

// FooterSum computes the checksum of a Parquet file's footer: CRC-32 (IEEE) of the footer without the checksum's own 8
// hexadecimal digits. at is the offset of these digits, -1 if there are none.
func FooterSum(footer []byte) (at int, sum string) {
	if at = bytes.LastIndex(footer, footerSum); at < 0 || len(footer)-at < len(footerSum)+len(NoFooterSum) {
		return -1, ""
	}
	at += len(footerSum)
	crc := crc32.Update(crc32.ChecksumIEEE(footer[:at]), crc32.IEEETable, footer[at+len(NoFooterSum):])
	return at, fmt.Sprintf("%08x", crc)
}
