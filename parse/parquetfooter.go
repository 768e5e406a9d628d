package parse

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"

	"flowlog/parse/schema"
)

// A parquetFooter reads the end of a Parquet file from memory, and the rest from the file.
type parquetFooter struct {
	io.ReaderAt
	at   int64 // where the end begins
	data []byte
}

func (f *parquetFooter) ReadAt(p []byte, off int64) (int, error) {
	if off < f.at {
		return f.ReaderAt.ReadAt(p, off)
	}
	n := copy(p, f.data[min(off-f.at, int64(len(f.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// openParquetFile reads the footer of a file. It checks the length of the footer before the library allocates memory for
// it, and verifies the checksum of the footer in files that flowlog wrote: damaged statistics would skip row groups without
// an error.
func openParquetFile(raw io.ReaderAt, size int64) (*parquet.File, error) {
	const tail = 8 // the length of the footer, and the magic word
	var b [tail]byte
	if size < 2*tail {
		return nil, errors.New("the file is cut off")
	}
	if _, err := raw.ReadAt(b[:], size-tail); err != nil {
		return nil, reason(err)
	}
	n := int64(binary.LittleEndian.Uint32(b[:]))
	if string(b[4:]) != "PAR1" || n > size-tail-4 {
		return nil, errors.New("the footer is missing: the file is cut off or damaged")
	}
	footer := &parquetFooter{raw, size - tail - n, make([]byte, n+tail)}
	if m, err := raw.ReadAt(footer.data, footer.at); m < len(footer.data) {
		return nil, reason(err)
	}
	f, err := parquet.OpenFile(footer, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil || f.Metadata().CreatedBy != schema.ParquetWriter {
		return f, err
	}
	at, sum := schema.FooterSum(footer.data[:n])
	if at >= 0 && string(footer.data[at:at+len(sum)]) != sum {
		return nil, errors.New("the checksum of the footer is wrong: the file is damaged")
	}
	return f, nil
}
