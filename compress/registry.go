package compress

// DefaultName is the algorithm of a device on which none was chosen.
const DefaultName = "lz4"

// codecs is in the order in which comp_algorithm shows the names.
var codecs = []*codec{
	{name: "lzo-rle", rule: lzoRule, open: newLZORLE},
	{name: "lzo", rule: lzoRule, open: newLZO},
	{name: "lz4", rule: lz4Rule, open: newLZ4},
	{name: "lz4hc", rule: lz4hcRule, open: newLZ4HC},
	{name: "zstd", rule: zstdRule, open: newZstd},
	{name: "deflate", rule: deflateRule, open: newDeflate},
	{name: "842", rule: sw842Rule, open: new842},
}

// Lookup returns the algorithm of that name, one of Names.
func Lookup(name string) (Codec, bool) {
	for _, c := range codecs {
		if c.name == name {
			return c, true
		}
	}
	return nil, false
}

// Names returns the names of all algorithms in the kernel's order.
func Names() []string {
	names := make([]string, len(codecs))
	for i, c := range codecs {
		names[i] = c.name
	}
	return names
}
