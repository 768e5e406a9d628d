package schema

import "testing"

func TestGuess(t *testing.T) {
	for column, want := range map[string]string{
		"source_ip": "srcaddr", "src_ip": "srcaddr", "sourceIPAddress": "srcaddr", "clientIp": "srcaddr", "src": "srcaddr", "ip_src": "srcaddr",
		"dest_ip": "dstaddr", "destination.address": "dstaddr", "DestinationIp": "dstaddr", "dst": "dstaddr", "dip": "dstaddr",
		"dest_port": "dstport", "destPort": "dstport", "dport": "dstport", "source ports": "srcport", "s_port": "srcport",
		"proto": "protocol", "byte_count": "bytes", "total_bytes": "bytes", "octets": "bytes", "pkts": "packets", "packetCount": "packets",
		"first_seen": "start", "start_ts": "start", "endTimestamp": "end", "verdict": "action", "owner_id": "account_id", "eni_id": "interface_id",
		"aws_region": "region", "vpc": "vpc_id", "direction": "flow_direction", "status": "log_status",
		"time": "", "timestamp": "", "id": "", "": "", "name": "", "shiny_field": "", "source": "srcaddr", "response_time": "", "message": "", "bytes_in": "",
	} {
		if got := Guess(column); got != want {
			t.Errorf("Guess(%q): got %q, want %q", column, got, want)
		}
	}
}

// All names that a field goes by are found, its own ones before those of others.
func TestLookupOfOtherNames(t *testing.T) {
	for name, want := range map[string]string{
		"sourceaddress": "srcaddr", "Log-Status": "log_status", "logStatus": "log_status", "start_time": "start", "src_addr": "srcaddr", "ACCOUNTID": "account_id", "srcaddr": "srcaddr",
	} {
		if f, ok := Logged().Lookup(name); !ok || f.Name != want {
			t.Errorf("Lookup(%q): got %q, want %q", name, f.Name, want)
		}
	}
	own := append(Logged(), Field{Name: "src_addr", Kind: Text})
	if f, _ := own.Lookup("src_addr"); f.Name != "src_addr" {
		t.Errorf("a field of the name itself: got %q", f.Name)
	}
	if _, ok := (Table{{Name: "dstaddr"}}).Lookup("sourceaddress"); ok {
		t.Error("a field that the table does not have was found")
	}
}
