package zramabi

import (
	"strconv"
	"strings"
)

const namePrefix = "zram"

// DeviceName is the kernel's name for a device.
func DeviceName(number uint64) string { return namePrefix + strconv.FormatUint(number, 10) }

// DeviceNumber reads what DeviceName gives, below 2^31; false if it is none.
func DeviceNumber(name string) (uint64, bool) {
	digits, named := strings.CutPrefix(name, namePrefix)
	n, err := strconv.ParseUint(digits, 10, 31)
	return n, named && err == nil && DeviceName(n) == name
}
