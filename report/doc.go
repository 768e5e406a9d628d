// Package report says what a report is, holds THE catalog of them, and computes any number of them over a
// stream of batches in one pass.
//
//	Report → Aggregator ← Batch … → Table
//
// A report runs per worker without locks and is merged once at the end: the same rows come out whatever the
// number of workers. Reports that differ in what they show of the same groups share them, and those that ask
// little of each record, or less than another does, are rolled up from a finer one: a dashboard is one pass too.
package report
