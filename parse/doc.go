// Package parse reads flow log records from wherever they are, in whatever shape AWS or flowlog left
// them, into Arrow batches of just the columns that were asked for.
//
//	Source → objects → codec → format → blocks → records → Batch → Emit
//
// An object is opened by one goroutine, which undoes the compression, recognises the format and cuts the
// content into blocks of whole records. Workers decode the blocks, each into one batch.
package parse
