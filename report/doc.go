// Package report says what a report is, holds THE catalog of them, and computes any number of them over a
// stream of batches in one pass.
//
//	Report → Aggregator ← Batch … → Table
//
// A report runs per worker without locks and is merged once at the end: the same rows come out whatever the
// number of workers.
package report
