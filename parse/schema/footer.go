package schema

import (
	"bytes"
	"fmt"
	"hash/crc32"
)

// ParquetWriter is what files of Parquet name as their writer that flowlog has written; readers look for the word "version"
// before they trust statistics. Other writers may copy the metadata of such a file, but not this.
const ParquetWriter = "flowlog version 1"

// FooterSumKey is the key of the metadata of a Parquet file that has the checksum of its footer, since the format has none.
// NoFooterSum stands there as long as that is not known.
const (
	FooterSumKey = "flowlog.footer.crc32"
	NoFooterSum  = "00000000"
)

// footerSum is what comes before the digits, in Thrift's compact protocol: the key, then the field 2 with 8 bytes.
var footerSum = []byte(FooterSumKey + "\x18\x08")

// FooterSum returns the checksum of the footer of a Parquet file, which is CRC-32 of IEEE of all of it but for the 8
// hexadecimal digits of the checksum, and where in the footer these are: -1 if there are none.
func FooterSum(footer []byte) (at int, sum string) {
	if at = bytes.LastIndex(footer, footerSum); at < 0 || len(footer)-at < len(footerSum)+len(NoFooterSum) {
		return -1, ""
	}
	at += len(footerSum)
	crc := crc32.Update(crc32.ChecksumIEEE(footer[:at]), crc32.IEEETable, footer[at+len(NoFooterSum):])
	return at, fmt.Sprintf("%08x", crc)
}
