// Package pass has what sees all records before any is counted. A pass stands between a scan and what it feeds: it takes every
// batch, and when the input has ended it hands on the same records, chosen or marked, or others made of them.
//
//	Batch … → pass → Batch …
package pass
