// Package group computes any number of reports over a stream of batches in one pass.
//
//	reports → New → Aggregator ← Batch … → Table
//	                     └── partial results → Merger ──┘
//
// A report runs per worker without locks and is merged once at the end: the same rows come out whatever the
// number of workers. Reports that differ in what they show of the same groups share them, and coarse groupings are
// derived from a finer one instead of being fed by each record: a dashboard is one pass too.
//
// Files, each uses only those above it:
//
//	keylevel.go      composite keys: (prefix group, code) → group
//	keycoder.go      codes of keys that are computed from a field: bins, hours, networks
//	predicate.go     conditions with an identity
//	selection.go     rows that meet a condition
//	batch.go         the records at hand: columns, flows, row sets
//	encoder.go       dictionaries
//	enricher.go      enriched fields, of records, keys and labels
//	spec.go          what reports need: groupings, accumulators, views
//	plan.go          which grouping is derived from which
//	dependency.go    what keys determine
//	planner.go       reports, fields that are present → plan
//	backlog.go       rows by hash partition
//	mergestates.go   states of one grouping into those of another
//	grouping.go      groups: keys, accumulators
//	partial.go       groups as Arrow records
//	feeder.go        rows → group ids
//	buffered.go      rows that wait in a backlog
//	feed.go          row sets → accumulators
//	total.go         groups merged into one
//	lasting.go       the length of bins
//	view.go          what a report shows of its groups
//	began.go         when records of an input began
//	spike.go         rows that stand out of their time
//	rank.go          having, top-n, ties
//	rebin.go         rows by wider bins
//	job.go           what all workers know
//	missing.go       fields that the input lacks
//	rows.go          rows, others, totals
//	spillfile.go     groups on disk, by hash partition
//	worker.go        plan, groups and feeder of one goroutine
//	derive.go        groups of a coarse grouping from those of a finer one
//	replan.go        fields that are present → another plan
//	bins.go          the width of bins that is left open
//	aggregate.go     the Aggregator
//	merge.go         workers → one worker
//	spill.go         spilled groups → those that can be shown
//	add.go           batches, and groups of an engine
//	explain.go       why there are no rows
//	tables.go        the end: Tables
//	partialfile.go   WritePartial
//	merger.go        Merger
//	doubt.go         which fields an engine's records have
//	remote.go        the half of a split report that is computed here
//	remoterows.go    an engine's rows → groups
package group
