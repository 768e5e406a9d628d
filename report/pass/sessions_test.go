package pass

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testSessions makes sessions with windows of 60 s. Ends that are servers' and ports of services are listed as in
// "b:443 named:5001".
func testSessions(known string) *sessions {
	words := strings.Fields(known)
	return &sessions{
		idleTCP: DefaultIdleTCP, idleOther: DefaultIdleUDP,
		window:  func(uint32) int64 { return 60 },
		rank:    func(observer uint32) uint32 { return observer },
		compare: func(a, b uint32) int { return cmp.Compare(a, b) },
		choose:  chooseFirst,
		fan:     func(_ uint8, e end) bool { return slices.Contains(words, endText(e)) },
		named:   func(_ uint8, port uint16) bool { return slices.Contains(words, fmt.Sprint("named:", port)) },
	}
}

// chooseFirst has the observers with the most records count, and of the others what was seen at other times.
func chooseFirst(same []flow) {
	count := make(map[uint32]int)
	for _, f := range same {
		count[f.observer]++
	}
	order := make([]int, len(same))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := same[a].observer, same[b].observer
		return cmp.Or(cmp.Compare(count[y], count[x]), cmp.Compare(x, y))
	})
	for n, i := range order {
		for _, k := range order[:n] {
			f, g := &same[i], &same[k]
			if !g.has(spare) && g.observer != f.observer && f.start <= g.end+60 && g.start <= f.end+60 {
				f.marks |= spare
			}
		}
	}
}

func endText(e end) string { return fmt.Sprintf("%c:%d", rune('a'-1+e.addr), e.port) }

// parseFlow reads a flow such as "0-60 a:43416>b:5001 tcp 568/8 SA REJECT @2": bytes and packets, flags, the action if it
// is not ACCEPT, and who logged it if it is not 1. Flags are letters, - for 0 and ? for null.
func parseFlow(t *testing.T, line string) flow {
	t.Helper()
	words := strings.Fields(line)
	f := flow{observer: 1, marks: acted | noFlags, protocol: map[string]uint8{"tcp": protocolTCP, "udp": protocolUDP, "icmp": protocolICMP}[words[2]]}
	if _, err := fmt.Sscanf(words[0], "%d-%d", &f.start, &f.end); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	from, to, _ := strings.Cut(words[1], ">")
	for i, e := range []string{from, to} {
		name, port, _ := strings.Cut(e, ":")
		n, _ := strconv.Atoi(port)
		addr := uint32(name[0]-'a') + 1
		if i == 0 {
			f.src, f.pktSrc, f.srcPort = addr, addr, uint16(n)
		} else {
			f.dst, f.pktDst, f.dstPort = addr, addr, uint16(n)
		}
	}
	if _, err := fmt.Sscanf(words[3], "%d/%d", &f.bytes, &f.packets); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for _, word := range words[4:] {
		switch {
		case word == "REJECT":
			f.marks |= rejected
		case word == "NONE":
			f.marks &^= acted
		case word[0] == '@':
			n, _ := strconv.Atoi(word[1:])
			f.observer = uint32(n)
		case word != "?":
			f.marks &^= noFlags
			for _, letter := range word {
				f.flags |= map[rune]uint8{'F': flagFIN, 'S': flagSYN, 'R': flagRST, 'P': 8, 'A': flagACK}[letter]
			}
		}
	}
	return f
}

func (c connection) String() string {
	text := fmt.Sprintf("%s>%s %d-%d %d/%d %d/%d %s %s", endText(c.ends[0]), endText(c.ends[1]), c.start, c.stop,
		c.bytes[0], c.packets[0], c.bytes[1], c.packets[1], states[c.state].name, hows[c.how].name)
	if c.windows != 1 {
		text += fmt.Sprintf(" %d windows", c.windows)
	}
	if c.resumed {
		text += " resumed"
	}
	if c.observer != 1 {
		text += fmt.Sprintf(" @%d", c.observer)
	}
	return text
}

func connectionsOf(s *sessions, flows []flow) []string {
	var texts []string
	for _, c := range s.append(nil, slices.Clone(flows)) {
		texts = append(texts, c.String())
	}
	return texts
}

func TestSessions(t *testing.T) {
	for _, test := range []struct{ name, known, flows, want string }{
		{"AWS's example: open", "",
			`1566848875-1566848933 a:43416>b:5001 tcp 568/8 S
			 1566848875-1566848933 b:5001>a:43416 tcp 376/7 SA`,
			`a:43416>b:5001 1566848875-1566848933 568/8 376/7 open syn`},
		{"AWS's example: closed in two windows", "",
			`1566848875-1566848933 a:43418>b:5001 tcp 100701/70 S
			 1566848875-1566848933 b:5001>a:43418 tcp 632/12 SA
			 1566848933-1566849113 b:5001>a:43418 tcp 63388/1219 F
			 1566848933-1566849113 a:43418>b:5001 tcp 23294588/15774 F`,
			`a:43418>b:5001 1566848875-1566849113 23395289/15844 64020/1231 closed syn 2 windows`},
		{"AWS's example: closed in one window", "",
			`1566933133-1566933193 a:43638>b:5001 tcp 1260/17 SF
			 1566933133-1566933193 b:5001>a:43638 tcp 967/14 SAF`,
			`a:43638>b:5001 1566933133-1566933193 1260/17 967/14 closed syn`},
		{"the answer alone tells the server", "", `0-50 b:80>a:70 tcp 100/2 SA`, `a:70>b:80 0-50 0/0 100/2 one_sided syn`},
		{"a SYN in a later window counts all along", "",
			"0-60 a:5>b:9 tcp 600/5 ?\n 61-120 b:9>a:5 tcp 600/5 S", "b:9>a:5 0-120 600/5 600/5 open syn"},
		{"of two SYNs the first", "", "0-60 a:5>b:9 tcp 60/1 S\n 1-60 b:9>a:5 tcp 60/1 S", "a:5>b:9 0-60 60/1 60/1 open syn"},
		{"of two at once neither", "", "0-60 a:5>b:9 tcp 60/1 S\n 0-60 b:9>a:5 tcp 60/1 S", "b:9>a:5 0-60 60/1 60/1 open lower"},
		{"earlier", "", "0-60 a:5>b:9 tcp 600/5 -\n 61-120 b:9>a:5 tcp 600/5 -", "a:5>b:9 0-120 600/5 600/5 open earlier"},
		{"not earlier by 60 s", "", "0-60 a:5>b:9 tcp 600/5 -\n 60-120 b:9>a:5 tcp 600/5 -", "b:9>a:5 0-120 600/5 600/5 open lower"},
		{"fan", "b:9000", "0-60 a:5>b:9000 tcp 600/5 -\n 0-60 b:9000>a:5 tcp 600/5 -", "a:5>b:9000 0-60 600/5 600/5 open fan"},
		{"fan of both", "b:9000 a:5", "0-60 a:5>b:9000 tcp 600/5 -\n 0-60 b:9000>a:5 tcp 600/5 -", "b:9000>a:5 0-60 600/5 600/5 open lower"},
		{"name", "named:9000", "0-60 a:5>b:9000 tcp 600/5 -\n 0-60 b:9000>a:5 tcp 600/5 -", "a:5>b:9000 0-60 600/5 600/5 open name"},
		{"UDP: fan before time", "b:9000", "100-160 a:5>b:9000 udp 600/5 -\n 0-60 b:9000>a:5 udp 600/5 -", "a:5>b:9000 0-160 600/5 600/5 open fan"},
		{"UDP: no SYN", "", "0-60 a:5>b:9 udp 600/5 S\n 0-60 b:9>a:5 udp 600/5 -", "b:9>a:5 0-60 600/5 600/5 open lower"},
		{"UDP: no answer", "", "0-60 a:50>b:9 udp 6000/5 -", "a:50>b:9 0-60 6000/5 0/0 no_answer lower"},
		{"equal ports", "", "0-60 a:500>b:500 udp 60/5 -\n 0-60 b:500>a:500 udp 60/5 -", "a:500>b:500 0-60 60/5 60/5 open both"},
		{"ICMP", "", "5-60 b:0>a:0 icmp 60/5 -\n 10-60 a:0>b:0 icmp 60/5 -", "b:0>a:0 5-60 60/5 60/5 open both"},
		{"no answer", "", "0-20 a:50>b:9 tcp 180/3 S", "a:50>b:9 0-20 180/3 0/0 no_answer syn"},
		{"one side with data", "", "0-20 a:50>b:9 tcp 18000/13 S", "a:50>b:9 0-20 18000/13 0/0 one_sided syn"},
		{"one side, later windows", "", "0-20 a:50>b:9 tcp 120/2 S\n 30-80 a:50>b:9 tcp 400/10 -", "a:50>b:9 0-80 520/12 0/0 one_sided syn 2 windows"},
		{"refused by a rule", "", "0-20 a:50>b:9 tcp 180/3 S REJECT", "a:50>b:9 0-20 180/3 0/0 refused syn"},
		{"refused by a rule at the other side", "", "0-20 a:50>b:9 tcp 180/3 S\n 5-20 a:50>b:9 tcp 180/3 S REJECT @2", "a:50>b:9 0-20 180/3 0/0 refused syn"},
		{"the answer is refused", "", "0-20 a:50>b:9 tcp 180/3 S\n 1-20 b:9>a:50 tcp 180/3 SA REJECT", "a:50>b:9 0-20 180/3 180/3 refused syn"},
		{"refused by an RST", "", "0-20 a:50>b:9 tcp 180/3 S\n 0-20 b:9>a:50 tcp 120/3 R", "a:50>b:9 0-20 180/3 120/3 refused syn"},
		{"RST of an older connection", "", "0-20 a:50>b:9 tcp 180/3 -\n 0-20 b:9>a:50 tcp 120/3 R", "a:50>b:9 0-20 180/3 120/3 reset lower"},
		{"without an action nothing is refused", "", "0-20 a:50>b:9 tcp 180/3 S NONE\n 0-20 b:9>a:50 tcp 120/3 RA NONE", "a:50>b:9 0-20 180/3 120/3 reset syn"},
		{"transit gateways log PSH and ACK", "", "0-20 a:50>b:9 tcp 180/3 SP NONE\n 0-20 b:9>a:50 tcp 120/3 SAP NONE", "a:50>b:9 0-20 180/3 120/3 open syn"},
		{"reset", "", "0-20 a:50>b:9 tcp 180/3 SR\n 0-20 b:9>a:50 tcp 120/3 SAF", "a:50>b:9 0-20 180/3 120/3 reset syn"},
		{"RST after both FINs", "", "0-20 a:50>b:9 tcp 180/3 SFR\n 0-20 b:9>a:50 tcp 120/3 SAF", "a:50>b:9 0-20 180/3 120/3 closed syn"},
		{"late packets are rejected", "", "0-20 a:50>b:9 tcp 180/3 SF\n 0-20 b:9>a:50 tcp 120/3 SAF\n 30-40 b:9>a:50 tcp 40/1 R REJECT",
			"a:50>b:9 0-40 180/3 160/4 closed syn 2 windows"},
		{"port re-use", "",
			`0-50 a:50>b:9 tcp 180/3 SF
			 0-50 b:9>a:50 tcp 120/3 SAF
			 60-100 a:50>b:9 tcp 18/3 S
			 60-100 b:9>a:50 tcp 12/3 SA`,
			"a:50>b:9 0-50 180/3 120/3 closed syn\n a:50>b:9 60-100 18/3 12/3 open syn"},
		{"port re-use the other way round", "",
			"0-50 a:50>b:9 tcp 180/3 SF\n 0-50 b:9>a:50 tcp 120/3 SAF\n 60-100 b:9>a:50 tcp 18/3 S\n 60-100 a:50>b:9 tcp 12/3 SA",
			"a:50>b:9 0-50 180/3 120/3 closed syn\n b:9>a:50 60-100 18/3 12/3 open syn"},
		{"a SYN that is sent again", "", "0-50 a:50>b:9 tcp 180/3 S\n 60-100 a:50>b:9 tcp 18/3 S", "a:50>b:9 0-100 198/6 0/0 no_answer syn 2 windows"},
		{"a SYN while under way", "", "0-50 a:50>b:9 tcp 180/3 -\n 60-100 a:50>b:9 tcp 18/3 S",
			"a:50>b:9 0-50 180/3 0/0 one_sided lower\n a:50>b:9 60-100 18/3 0/0 no_answer syn"},
		{"no gap", "", "0-50 a:50>b:9 tcp 180/3 S\n 460-500 a:50>b:9 tcp 18/3 -", "a:50>b:9 0-500 198/6 0/0 one_sided syn 2 windows"},
		{"resumed, in the direction of the one before", "", "0-50 a:9>b:50 tcp 180/3 S\n 461-500 b:50>a:9 tcp 18/3 -\n 1000-1050 a:9>b:50 tcp 1/1 F",
			"a:9>b:50 0-50 180/3 0/0 no_answer syn\n a:9>b:50 461-500 0/0 18/3 one_sided syn resumed\n a:9>b:50 1000-1050 1/1 0/0 one_sided syn resumed"},
		{"after a gap a SYN is another connection", "", "0-50 a:9>b:50 tcp 180/3 S\n 461-500 b:50>a:9 tcp 18/3 SA",
			"a:9>b:50 0-50 180/3 0/0 no_answer syn\n a:9>b:50 461-500 0/0 18/3 one_sided syn"},
		{"without flags so is all that follows a gap", "", "0-50 a:50>b:9 tcp 180/3 ?\n 461-500 b:9>a:50 tcp 18/3 ?",
			"a:50>b:9 0-50 180/3 0/0 no_answer lower\n a:50>b:9 461-500 0/0 18/3 one_sided lower"},
		{"UDP has another idle time", "", "0-50 a:50>b:9 udp 180/3 -\n 230-231 a:50>b:9 udp 18/3 -\n 412-413 a:50>b:9 udp 18/3 -",
			"a:50>b:9 0-231 198/6 0/0 no_answer lower 2 windows\n a:50>b:9 412-413 18/3 0/0 no_answer lower"},
		{"one interface counts for each direction and time", "",
			`0-60 a:50>b:9 tcp 600/6 S
			 10-70 a:50>b:9 tcp 600/6 S @2
			 0-60 b:9>a:50 tcp 700/7 SA
			 10-70 b:9>a:50 tcp 700/7 SA @2
			 1000-1060 a:50>b:9 tcp 60/1 - @2`,
			"a:50>b:9 0-70 600/6 700/7 open syn @2\n a:50>b:9 1000-1060 60/1 0/0 one_sided syn resumed @2"},
		{"packets to oneself", "", "0-60 a:50>a:50 udp 600/6 -", "a:50>a:50 0-60 600/6 0/0 no_answer both"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var flows []flow
			for line := range strings.Lines(test.flows) {
				flows = append(flows, parseFlow(t, line))
			}
			for range 2 {
				got := connectionsOf(testSessions(test.known), flows)
				if text, want := strings.Join(got, "\n "), strings.TrimSpace(test.want); text != want {
					t.Errorf("got\n %s\nwant\n %s", text, want)
				}
				slices.Reverse(flows)
			}
		})
	}
}
