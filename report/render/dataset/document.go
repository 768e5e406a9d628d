package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	parquetgo "github.com/parquet-go/parquet-go"

	"flowlog/parse/schema"
	"flowlog/report/render/parquet"
)

// The documents of a manifest are Parquet files with the columns of the dataset and no rows; their JSON text is in the
// file metadata. They are in the folder of the null partition: a reader of all files below the dataset, such as polars
// with a directory or DuckDB with **, finds the same columns, keys and types everywhere, and no additional row. Hive,
// Spark, Trino, Athena and pyarrow skip folders whose names begin with _.

// Format is the output format of a dataset, which is the ending of its files too.
const Format = "parquet"

const (
	// documentKey is the metadata key of a document's text.
	documentKey   = "flowlog.manifest"
	documentSum   = "flowlog.manifest.crc32" // checksum of the text; older manifests lack it
	settingsFile  = "dataset.parquet"
	publishedFile = "published.parquet"
	commitPrefix  = "commit-"
	documentEnd   = ".parquet"
	commitForm    = commitPrefix + "%06d" + documentEnd
)

// manifestFolder returns the folder of the documents of a dataset with these keys.
func manifestFolder(keys []string) string {
	folder := schema.ManifestFolder
	for _, k := range keys {
		folder = path.Join(folder, k+"="+schema.NullPartition)
	}
	return folder
}

// encode makes a document.
func encode(v any, columns []Column) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	fields := make(schema.Table, len(columns))
	for i, c := range columns {
		fields[i] = schema.Field{Name: c.Name, Kind: c.Kind}
	}
	var out bytes.Buffer
	w, err := parquet.New(&out, fields, schema.FlowRecords)
	if err != nil {
		return nil, err
	}
	w.Note(documentKey, string(text))
	w.Note(documentSum, textSum(string(text)))
	err = w.Close()
	return out.Bytes(), err
}

func textSum(text string) string {
	sum := Checksum()
	_, _ = sum.Write([]byte(text)) // a hash never fails
	return SumText(sum)
}

// decode reads a document.
func decode(content []byte, v any) (err error) {
	defer func() {
		if r := recover(); r != nil { // of parquet-go
			err = fmt.Errorf("the file is damaged (%v)", r)
		}
	}()
	f, err := parquetgo.OpenFile(bytes.NewReader(content), int64(len(content)), parquetgo.SkipBloomFilters(true), parquetgo.SkipPageIndex(true))
	if err != nil {
		return err
	}
	text, ok := f.Lookup(documentKey)
	if !ok {
		return errors.New("is not of a manifest: the metadata " + documentKey + " is missing")
	}
	if sum, ok := f.Lookup(documentSum); ok && sum != textSum(text) {
		return errors.New("the checksum of its text is wrong: the file is damaged")
	}
	return json.Unmarshal([]byte(text), v)
}

// commitNumber returns the number in the name of a commit.
func commitNumber(name string) (int64, error) {
	digits := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), commitPrefix), path.Ext(name))
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%s is not the name of a commit", name)
	}
	return n, nil
}
