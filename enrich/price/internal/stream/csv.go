package stream

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// A limit is a reader that fails after so many bytes, so that no record is larger.
type limit struct {
	r    io.Reader
	left int
}

func (l *limit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("a record of more than 1 MiB")
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// CSV calls record for each record, of any number of fields, at least one. The fields are valid until record returns. Errors
// have the name and the line.
func CSV(name string, in io.Reader, record func(fields []string) error) error {
	l := &limit{r: in}
	r := csv.NewReader(l)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	line := 0
	for {
		l.left = MaxMember
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			line, _ = r.FieldPos(0)
			err = record(fields)
		}
		if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
			return fmt.Errorf("%s:%d: %w", name, wrong.Line, wrong.Err)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, max(line, 1), err)
		}
	}
}
