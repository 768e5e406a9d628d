package inventory

// A document is one JSON document while it is read.
type document struct {
	*scanner
	store *store

	flowlog         bool // flowlog inventory wrote it
	snapshot        bool // it is a snapshot of AWS Config, not a history
	account, region string
	time            int64
	until           int64 // of AWS Config: until when the file is complete, if its name says so
	partial         bool  // there are more pages
	known           bool  // some member is that of a call
	other           string
	seen            [][2]int32 // snapshots, as stream and index
}
