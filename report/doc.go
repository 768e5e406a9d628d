// Package report says what a report is, and holds THE catalog of them: keys, measures, tables, settings. It computes nothing.
//
//	catalog → Report → group, or SQL → Table → render
package report
