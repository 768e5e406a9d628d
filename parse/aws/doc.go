// Package aws reaches AWS: configuration and credentials, roles, one policy of retries, and one door for a signed request
// of any service. It imports nothing of flowlog and names options by the names that the aws command has for them; who prints its errors
// can write them in another way: see Hint.
//
//	options → configuration → credentials of a profile or role → SDK client, or Call: sign → send → retry by class → answer
//
// Files, each uses only those above it:
//
//	errors.go      what AWS refuses and why, in words
//	retry.go       which failures may be over at the next attempt
//	aws.go         configuration and credentials
//	endpoint.go    the URL of a service in a region
//	call.go        a signed request
//	role.go        roles and identities
package aws
