package zramabi

import "testing"

func TestDeviceNumber(t *testing.T) {
	for name, want := range map[string]int64{
		"zram0": 0, "zram17": 17, "zram65536": 65536, "zram2147483647": 1<<31 - 1, "zram2147483648": -1, "zram": -1, "zram01": -1,
		"zram+1": -1, "zram-1": -1, "zram 1": -1, "ram1": -1, "zram1x": -1, "zram00": -1, "": -1, "1": -1,
	} {
		n, ok := DeviceNumber(name)
		if ok != (want >= 0) || ok && (int64(n) != want || DeviceName(n) != name) {
			t.Errorf("%q: %d, %v; want %d", name, n, ok, want)
		}
	}
}
