// Package cells has what all writers of records share: reading the columns of a batch by row, and writing batches in order.
//
//	schema.Batch → Batch → Column → Append, Value
//
// Files, each uses only those above it:
//
//	batch.go sequence.go  columns of a batch; order of concurrent calls
package cells
