// Package function has THE table of aggregate functions, and the states that they keep for groups of records.
//
//	rows of a group → State → value, or bytes of a partial result
//
// A function is one file: its row, its state, how states are merged and encoded, and how an engine's value becomes a state.
// A reader of the table asks a row for its properties; no code outside of a function's file knows its name or its state.
//
// Files, each uses only those above it:
//
//	codec.go        values and numbers as bytes, their hashes
//	state.go        State, numbers of many groups in one matrix
//	func.go         a row of the table
//	pair.go loglog.go
//	known.go        values that an engine has computed
//	count.go sum.go extreme.go distinct.go quantile.go gap.go cost.go computed.go
//	function.go     THE table
package function
