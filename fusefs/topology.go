package fusefs

import "uzram/internal/zramabi"

// Rows of a mount with many devices: node ids of what it has of its own.
const (
	classRow     = 2
	controlRow   = 3
	hotAddRow    = 4
	hotRemoveRow = 5
	blockRow     = 6
	devRow       = 7
	ownDebugRow  = 8
	ownStatusRow = 9
	ownVerbsRow  = 10
)

// layout is what a mount with many devices has of its own. It has the shape of
// /sys, and of /dev:
//
//	class/zram-control/hot_add, hot_remove
//	block/zramN      a device
//	dev/zramN        its image
//	debug/status, control
func (m *Mount) layout() *layout {
	l := &layout{}
	l.addDir(rootID, rootID, "")
	l.addDir(classRow, rootID, "class")
	l.addDir(controlRow, classRow, "zram-control")
	l.addRows(controlRow, []row{
		{id: hotAddRow, abi: abi("hot_add"), make: m.hotAdd},
		once(attr(hotRemoveRow, "hot_remove", nil, nil), m.hotRemove),
	}, zramabi.MaxWrite)
	l.addDir(blockRow, rootID, "block")
	l.addDir(devRow, rootID, "dev")
	l.addDir(ownDebugRow, rootID, "debug")
	l.addRows(ownDebugRow, []row{
		attr(ownStatusRow, "status", m.showMount, nil),
		attr(ownVerbsRow, "control", nil, m.controlMount),
	}, 0)
	return l
}
