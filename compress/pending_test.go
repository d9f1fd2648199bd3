package compress

// pending has the algorithms that are not in the table yet.
var pending = []*codec{
	{name: "lzo-rle", rule: lzoRule, open: newLZORLE},
	{name: "lzo", rule: lzoRule, open: newLZO},
	{name: "842", rule: sw842Rule, open: new842},
}

// find is Lookup in both tables.
func find(name string) (Codec, bool) {
	for _, c := range pending {
		if c.name == name {
			return c, true
		}
	}
	return Lookup(name)
}

// allNames has the names of both tables.
func allNames() []string {
	names := Names()
	for _, c := range pending {
		names = append(names, c.name)
	}
	return names
}
