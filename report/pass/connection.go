package pass

// A connection is what the flows of one key between two cuts come to.
type connection struct {
	ends     [2]end // the client, the server
	vpc      uint32
	observer uint32 // who logged the client's packets, or where nobody did the server's
	protocol uint8
	state    state
	how      how
	resumed  bool
	windows  int32
	missing  marks // noFlags and those below it: of no flow is it known
	start    int64
	stop     int64
	bytes    [2]int64 // up, down
	packets  [2]int64
}

// An end is an address and a port of a key. The address is a code.
type end struct {
	addr uint32
	port uint16
}

// state is what became of a connection.
type state uint8

const (
	stateOpen state = iota
	stateClosed
	stateReset
	stateRefused
	stateNoAnswer
	stateOneSided
)

// states are the values of the field state, with what they mean.
var states = [...]struct{ name, doc string }{
	stateOpen:     {"open", "both sides sent, and no end was logged"},
	stateClosed:   {"closed", "a FIN ended it"},
	stateReset:    {"reset", "an RST ended it"},
	stateRefused:  {"refused", "it was rejected, or the only answer was an RST"},
	stateNoAnswer: {"no_answer", "the client asked and nothing came back"},
	stateOneSided: {"one_sided", "packets of one direction only, of a connection that was established"},
}

// how is how it was found out which end is the client.
type how uint8

const (
	bySYN how = iota
	byTime
	byFan
	byName
	byPort
	byNothing
)

// hows are the values of the field how, with what they mean, from the surest to the least.
var hows = [...]struct{ name, doc string }{
	bySYN:     {"syn", "the client sent the SYN"},
	byTime:    {"earlier", "the client sent first, by more than 60 s"},
	byFan:     {"fan", "the server uses its port with three or more ports of others"},
	byName:    {"name", "the server's port is that of a known service"},
	byPort:    {"lower", "the server's port is the lower one"},
	byNothing: {"both", "nothing tells, as with ICMP"},
}

// sure reports whether flags or times say who the client is. All else is a guess.
func (h how) sure() bool { return h <= byTime }
