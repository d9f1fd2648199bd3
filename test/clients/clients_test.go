package clients

import "testing"

// groups are the clients in the order of the document.
var groups = []struct {
	name string
	test func(*testing.T, *table)
}{
	{"zramctl", zramctl},
	{"modprobe", modprobe},
	{"zramswap", zramswap},
	{"generator", generator},
	{"htop", htop},
	{"procfs", prometheus},
	{"fio", fio},
	{"filesystems", fileSystems},
	{"utilities", utilities},
	{"systemd", systemd},
	{"limits", limits},
}

// TestClients: each program does on uzram what it does on the kernel's zram, and what cannot be so is written down.
func TestClients(t *testing.T) {
	tab, ran := newTable(), 0
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			ran++
			g.test(t, tab)
		})
	}
	if ran == len(groups) && !t.Failed() {
		tab.compare(t)
	}
}
