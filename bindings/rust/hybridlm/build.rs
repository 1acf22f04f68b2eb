//! Lets this crate's own tests and examples find the library where the linker found it.
fn main() {
    if let Ok(dir) = std::env::var("DEP_HYBRIDLM_LIBDIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{dir}");
    }
}
