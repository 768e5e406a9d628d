package describe

import "flowlog/parse/aws"

// A Service is one of AWS's, with how it is asked.
type Service struct {
	aws.Service
	version string // of the Query protocol
	prefix  string // of permissions
	target  string // of the JSON protocol; "" if it is Query or REST

	// The names of parameters for the size of a page and where to go on, and of the member that says where.
	size, token, next string
}

// A Call is one row of the call table.
type Call struct {
	With     string // the word that asks for it, "" if it is always made
	Service  *Service
	Action   string
	Page     int    // elements a page at most; 0 if it has no pages
	CLI, XML string // the member with the result, as the aws command and as the answer names it
	Doc      string // what the answer is for
	Members  []Member
	Path     string // of REST, with {name} for a parameter; "" of other protocols

	Each   *Each  // what it is made for, nil if it is made once
	Key    string // the member that calls made for this one ask for; "." is the element itself
	Hidden bool   // it only serves such calls, and is not in the document
}

// An Each says that a call is made for the keys that another one found.
type Each struct {
	Of    string // the action of the other call, of the same word
	Param string // the parameter that is a key
	Batch int    // most keys of a request, as a list; 0 is one key, and no list
	Add   bool   // the key is added to each element, which does not have it, under the name of the parameter
}

// Permission is what the call needs: ec2:DescribeVpcs.
func (c *Call) Permission() string { return c.Service.prefix + ":" + c.Action }
