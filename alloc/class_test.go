package alloc

import (
	"fmt"
	"strings"
	"testing"
)

// The distinct classes of zsmalloc with a chain size of 8, index:size/pages, as
// its classes file lists them on a running kernel.
const kernelClasses = `
0:32/1 1:48/3 2:64/1 3:80/5 4:96/3 5:112/7 6:128/1 7:144/7 8:160/5 9:176/4 10:192/3 11:208/3 12:224/7
13:240/1 14:256/1 15:272/1 16:288/5 17:304/7 18:320/5 19:336/6 20:352/8 21:368/8 22:384/3 23:400/5 24:416/6
25:432/7 26:448/7 27:464/5 28:480/2 29:496/4 30:512/1 31:528/4 32:544/2 33:560/7 34:576/1 35:592/8 36:608/7
37:624/2 38:640/5 39:656/5 40:672/1 41:688/8 42:704/5 43:720/3 44:736/2 45:752/7 46:768/3 47:784/5 49:816/1
50:832/8 51:848/5 52:864/7 53:880/8 54:896/7 55:912/7 56:928/5 57:944/3 58:960/4 59:976/6 60:992/8 62:1024/1
64:1056/8 65:1072/5 66:1088/4 67:1104/3 68:1120/8 69:1136/5 71:1168/2 72:1184/7 73:1200/5 74:1216/3 75:1232/7
76:1248/4 78:1280/5 79:1296/7 83:1360/1 87:1424/8 88:1440/6 89:1456/5 91:1488/4 92:1504/7 94:1536/3 95:1552/8
96:1568/5 97:1584/7 100:1632/2 103:1680/7 104:1696/5 105:1712/8 107:1744/3 110:1792/7 111:1808/4 114:1856/5
116:1888/6 117:1904/7 118:1920/8 126:2048/1 134:2176/8 135:2192/7 137:2224/6 140:2272/5 144:2336/4 147:2384/7
151:2448/3 155:2512/8 158:2560/5 160:2592/7 168:2720/2 177:2864/7 180:2912/5 184:2976/8 190:3072/3 197:3184/7
202:3264/4 211:3408/5 217:3504/6 222:3584/7 225:3632/8 254:4096/1`

func TestClassesOfTheKernelAreDerived(t *testing.T) {
	var got []string
	for i, s := range deriveShapes(framePages, 0) {
		if s.index == i {
			got = append(got, fmt.Sprintf("%d:%d/%d", i, s.size, s.pages))
		}
	}
	want := strings.Fields(kernelClasses)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("derived %d classes\n%v\nwant %d\n%v", len(got), got, len(want), want)
	}
	if HugeThreshold != 3625 {
		t.Errorf("huge threshold %d, want 3625", HugeThreshold)
	}
}

// The small classes are the kernel's, thinned out; the others are the kernel's.
func TestClasses(t *testing.T) {
	distinct := 0
	for i, s := range shapes {
		if s.index == i {
			distinct++
		}
		size := minSize + i*sizeStep
		if kernel := deriveShapes(framePages, 0)[i]; size >= coarseBelow && s != kernel {
			t.Errorf("size %d: %+v, want %+v", size, s, kernel)
		}
		if s.size < size || size < coarseBelow && s.size >= size+4*sizeStep {
			t.Errorf("size %d goes to the class of %d", size, s.size)
		}
	}
	if distinct != 90 {
		t.Errorf("%d classes, want 90", distinct)
	}
}

func TestSizeIndexHoldsTheObject(t *testing.T) {
	for size := 1; size <= PageSize; size++ {
		s := shapes[sizeIndex(size)]
		need := size + headerSize
		if size >= HugeThreshold {
			need = PageSize
		}
		if s.size < need {
			t.Fatalf("%d bytes go to a class of %d", size, s.size)
		}
		if i := sizeIndex(size); i > 0 && minSize+(i-1)*sizeStep >= need {
			t.Fatalf("%d bytes go to size %d though the one below holds them", size, minSize+i*sizeStep)
		}
	}
}
