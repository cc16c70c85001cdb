// Program luajit runs Lua that is worth compiling, and has it call C.
package main

// #cgo pkg-config: luajit
// #include <lua.h>
// #include <lauxlib.h>
// #include <lualib.h>
// #include <stdlib.h>
// static int run(lua_State *l, const char *text) { return luaL_loadstring(l, text) || lua_pcall(l, 0, 1, 0); }
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

const program = `
local sum = 0
for i = 1, 3000000 do sum = (sum + i * 3) % 1000003 end
local ok, caught = pcall(function() error({code = 7}) end)
return string.format("%d %s %d", sum, tostring(ok), caught.code)
`

func main() {
	l := C.luaL_newstate()
	if l == nil {
		fmt.Println("no state")
		os.Exit(1)
	}
	defer C.lua_close(l)
	C.luaL_openlibs(l)
	text := C.CString(program)
	defer C.free(unsafe.Pointer(text))
	failed := C.run(l, text)
	got := C.GoString(C.lua_tolstring(l, -1, nil))
	sum := 0
	for i := 1; i <= 3000000; i++ {
		sum = (sum + i*3) % 1000003
	}
	if want := fmt.Sprintf("%d false 7", sum); failed != 0 || got != want {
		fmt.Printf("%q, want %q\n", got, want)
		os.Exit(1)
	}
	fmt.Println("ok")
}
