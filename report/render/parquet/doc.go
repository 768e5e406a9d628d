// Package parquet writes Parquet files from batches of records. It uses parquet-go's metadata, delta encoding and Thrift, but
// not its writer, which takes one value at a time and hashes each text: here texts are dictionary-encoded already, and
// numbers stay in slices.
//
//	append, in order → chunk of rows → encode, concurrently → pages of a row group → write, in order
//
// Batches are copied to chunks in their order, chunks are encoded to pages concurrently, and complete row groups are
// written in order: the same records give the same bytes whatever the number of workers.
//
// Files, each uses only those above it:
//
//	dictionary.go  distinct values of a column of a row group
//	batch.go       the columns of a batch, with their codes in these dictionaries
//	page.go        values → encoded page
//	group.go       rows → chunks of a row group
//	file.go        chunks → row groups → file
//	footer.go      metadata: schema, statistics, indexes
//	writer.go      the way in
package parquet
