// Package bill reads what AWS billed for traffic: Cost Explorer's answers in JSON, and cost and usage reports (CUR, Data
// Exports) in CSV or Parquet. It is pure: it opens nothing itself.
//
//	file → lines → those of traffic, by usage type → Item, a sum by usage type, region, product and day
//
// Files, each uses only those above it:
//
//	bill.go        sums of lines
//	explorer.go export.go
//	read.go        bills by their content
package bill
