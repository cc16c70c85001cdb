module prebuilt

go 1.26

toolchain go1.26.8

require github.com/valyala/gozstd v1.27.0
