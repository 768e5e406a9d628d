package parse

import "testing"

func TestNames(t *testing.T) {
	for _, test := range []struct {
		pattern, folder string
		want            bool
	}{
		{"lake", "lake", true}, {"lake/", "lake", true}, {"lake/date=1", "lake", true}, {"", "lake", false},
		{"logs", "logs/lake", false}, {"lake*/**", "lake1", true}, {"l*/date=*/*.parquet", "lake", true},
		{"**", "lake", false}, {"**/*.parquet", "a/lake", false}, {"a/**/x", "a", true}, {"a/**/x", "a/lake", false},
		{"/abs/lake/**", "/abs/lake", true}, {"/abs/**", "/abs/lake", false}, {"./lake/**", "lake", true},
	} {
		if got := Names(test.pattern, test.folder); got != test.want {
			t.Errorf("%s, %s: %v", test.pattern, test.folder, got)
		}
	}
}

func TestInManifest(t *testing.T) {
	for _, test := range []struct {
		name, root string
		want       bool
	}{
		{"_flowlog/published.parquet", "", true}, {"a/b/_flowlog/x/y", "a/b", true}, {"a/_flowlog", "a/_flowlog", false},
		{"a/my_flowlog/x", "a/my_flowlog/x", false}, {"/a/_flowlog/x", "/a", true},
	} {
		root, ok := InManifest(test.name)
		if ok != test.want || ok && root != test.root {
			t.Errorf("%s: %q %v", test.name, root, ok)
		}
	}
}
