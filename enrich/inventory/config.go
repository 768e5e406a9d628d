package inventory

import (
	"encoding/json"
	"slices"
	"strings"
)

// configItem is an item as AWS Config writes it.
type configItem struct {
	ResourceType                 string
	ResourceID                   string
	AwsAccountID                 string
	AwsRegion                    string
	ConfigurationItemCaptureTime stamp
	ConfigurationItemStatus      string
	ResourceCreationTime         stamp
	Tags                         map[string]string
	Configuration                json.RawMessage
}

// decodeItem keeps an item. Items of other resources than interfaces, instances, subnets and VPCs are passed over, and
// ResourceNotRecorded says nothing.
func decodeItem(d *document, raw []byte) ([]state, error) {
	var c configItem
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	if strings.Contains(c.ConfigurationItemStatus, "NotRecorded") {
		return nil, nil
	}
	scope := c.AwsAccountID + " " + c.AwsRegion
	d.store.known[scope] = max(d.store.known[scope], int64(c.ConfigurationItemCaptureTime), d.until)
	deleted := strings.HasPrefix(c.ConfigurationItemStatus, "ResourceDeleted")
	configuration := []byte(c.Configuration)
	var quoted string // a document in a string, as streams of AWS Config have it
	if json.Unmarshal(configuration, &quoted) == nil && quoted != "" {
		configuration = []byte(quoted)
	}
	var tags []Tag
	for k, v := range c.Tags {
		tags = append(tags, Tag{d.store.intern(k), d.store.intern(v)})
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	switch c.ResourceType {
	case "AWS::EC2::NetworkInterface":
	case "AWS::EC2::Instance":
		if !deleted {
			d.store.names.instances[c.ResourceID] = tags
		}
		return nil, nil
	case "AWS::EC2::Subnet":
		_, err := decodeUnless(deleted, decodeSubnet, d, configuration)
		return nil, err
	case "AWS::EC2::VPC":
		_, err := decodeUnless(deleted, decodeVPC, d, configuration)
		return nil, err
	default:
		return nil, nil
	}
	if d.snapshot {
		if deleted {
			return nil, nil
		}
		s, err := c.state(d, configuration, tags)
		return []state{s}, err
	}
	it := item{
		resource: c.ResourceID, account: c.AwsAccountID, region: c.AwsRegion, time: int64(c.ConfigurationItemCaptureTime),
		created: int64(c.ResourceCreationTime), deleted: deleted,
	}
	if !deleted {
		s, err := c.state(d, configuration, tags)
		if err != nil {
			return nil, err
		}
		it.state = s
	}
	it.state.holder = d.store.holder(c.ResourceID)
	d.store.items = append(d.store.items, it)
	return nil, nil
}

// state is how an item describes an interface.
func (c *configItem) state(d *document, configuration []byte, tags []Tag) (state, error) {
	var n networkInterface
	if err := json.Unmarshal(configuration, &n); err != nil {
		return state{}, err
	}
	s, err := (&document{store: d.store, account: c.AwsAccountID, region: c.AwsRegion}).interfaceState(&n)
	if err != nil {
		return state{}, err
	}
	s.about.tags = mergeTags(s.about.tags, tags)
	s.attach = 0 // the item has the time
	return s, nil
}

func scopeOfItem(raw []byte) (account, region string) {
	var c configItem
	_ = json.Unmarshal(raw, &c) // what is wrong with it is said when it is decoded
	return c.AwsAccountID, c.AwsRegion
}

func decodeUnless(deleted bool, decode func(*document, []byte) ([]state, error), d *document, raw []byte) ([]state, error) {
	if deleted || len(raw) == 0 {
		return nil, nil
	}
	return decode(d, raw)
}
