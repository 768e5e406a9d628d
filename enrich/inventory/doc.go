// Package inventory says who owned an address, and when: it reads what AWS and Kubernetes list of a network, at any
// number of times, and answers for the time of a flow. It knows neither Arrow nor the AWS SDK.
//
//	files → documents → elements → states with runs of snapshots → tenures by (VPC, address) → Answer
//
// A snapshot is one listing of one account and region at one time. What it lists was there; what it no longer lists had
// gone. So between two snapshots an address may have changed hands, and an answer is one of certain, assumed, several
// or none: see State.
//
// Files, each uses only those above it:
//
//	time.go         the time of a file, from its name
//	scanner.go      JSON as a stream: elements of arrays, without decoding those that are known
//	owner.go        what an owner is: names and the closed list of types
//	element.go      the JSON of elements: interfaces, instances, subnets …
//	describe.go     from an interface to its owner
//	claim.go        the addresses that an element claims
//	store.go        states, the snapshots that saw them, and attributes by ID
//	call.go         THE table of calls: the member of a document, and what reads its elements
//	kubernetes.go   pods, services and nodes
//	config.go       items of AWS Config
//	reader.go       files and documents
//	tenure.go       who may have had an address, from when to when
//	build.go        tenures from states and items
//	inventory.go    the finished inventory: interfaces, subnets, VPCs
//	find.go         the owner of an address at a time
package inventory
