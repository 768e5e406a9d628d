// Package price says what traffic costs: which charges of AWS a record pays, and at which rates. It is pure: it knows
// neither Arrow nor flags, and reads no file but what it is given.
//
//	Record → Rules.Charges → Due → Rates.Of → Amount, summed as whole numbers
//	built-in table, files of prices → Book → Rates, fixed before the scan
//
// AWS bills interfaces, not conversations. A record is what one interface saw in one direction, so each record pays what
// its own interface is billed for, and no record is left out because another end has logged the same flow. Each charge is
// taken at one kind of record; what traffic crosses zones pays is the one that both ends pay, each its own.
//
// Files, each uses only those above it:
//
//	money.go       exact sums of bytes times rates
//	decimal.go     prices as files have them
//	region.go      how bills and zones call regions
//	charge.go      charges and sets of them
//	record.go      what of a record, and of a file of prices, decides what it pays
//	facts.go       what several tests ask of a record
//	verdict.go     the tests: does a record pay a charge
//	table.go       THE table of charges
//	book.go        prices by region, and rates
//	builtin.go     THE table of prices
//	print.go
//	yaml.go
//	list.go        AWS's price lists
//	listjson.go listcsv.go
//	read.go        files of prices by their content
package price
