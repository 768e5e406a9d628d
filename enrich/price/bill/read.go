package bill

import (
	"bytes"
	"fmt"
	"io"

	"flowlog/enrich/price/internal/stream"
)

// Read adds what a file has: an answer of Cost Explorer, or a cost and usage report in CSV, with gzip or without, or in
// Parquet, by its content. It closes the file. name is for errors. Memory depends on the usage types, days and gateways,
// not on the lines.
func (b *Bill) Read(name string, file io.ReadCloser, parquet Parquet) (err error) {
	defer func() {
		if cerr := file.Close(); err == nil {
			err = cerr
		}
	}()
	in, err := stream.Plain(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	start, err := in.Peek(64) // a shorter file is all that there is
	switch start = bytes.TrimLeft(start, " \t\r\n"); {
	case err != nil && err != io.EOF:
		return fmt.Errorf("%s: %w", name, err)
	case bytes.HasPrefix(start, []byte("PAR1")):
		return b.readParquet(name, parquet)
	case bytes.HasPrefix(start, []byte("{")):
		return b.readExplorer(name, in)
	case len(start) == 0:
		return fmt.Errorf("%s: is empty, and no bill", name)
	}
	return b.readCSV(name, in)
}
