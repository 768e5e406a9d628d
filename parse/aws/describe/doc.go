// Package describe takes inventories: it makes read-only calls of AWS's services and writes their answers as the aws command
// prints them. It needs no SDK client of these services, that of EC2 alone takes minutes to compile.
//
//	call table → signed requests, page by page → XML or JSON → elements in the aws command's shape → one document
//
// A document is JSON:
//
//	{"flowlog":"inventory","version":1,"account":"123456789012","region":"us-east-1","time":"2026-11-28T16:00:00Z",
//	"calls":{"DescribeVpcs":{"Vpcs":[{"VpcId":"vpc-0a1",…},…]},…}}
//
// Each call that was answered to the end is in it, with an empty list if there is nothing; one that was denied is not.
//
// Files, each uses only those above it:
//
//	member.go           members of answers: names and kinds
//	call.go             services and calls
//	calls.go with.go    THE call table: what is always asked, and what on request
//	table.go            the calls by name
//	node.go             XML as a tree
//	shape.go            elements in the aws command's shape
//	request.go          a page of a call, by each protocol
//	snapshot.go         all calls, one document
package describe
