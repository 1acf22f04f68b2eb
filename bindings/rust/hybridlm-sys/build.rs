//! Finds libhybridlm: in the folder that HYBRIDLM_LIB_DIR names (a build folder's `src/library`, say), else through
//! pkg-config. Tells the folder to the crates above as DEP_HYBRIDLM_LIBDIR where the linker would not find it.
use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=HYBRIDLM_LIB_DIR");
    for name in ["PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let done = match env::var("HYBRIDLM_LIB_DIR") {
        Ok(dir) => from_folder(&dir),
        Err(_) => from_pkg_config(),
    };
    if let Err(sentence) = done {
        eprintln!("{sentence}");
        std::process::exit(1);
    }
}

fn from_folder(dir: &str) -> Result<(), String> {
    let full = Path::new(dir).canonicalize().map_err(|e| format!("HYBRIDLM_LIB_DIR={dir}: {e}"))?;
    let full = full.to_str().ok_or("HYBRIDLM_LIB_DIR is not UTF-8")?;
    println!("cargo:rustc-link-search=native={full}");
    println!("cargo:rustc-link-lib=dylib=hybridlm");
    println!("cargo:libdir={full}");
    Ok(())
}

fn from_pkg_config() -> Result<(), String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let out = Command::new(&program)
        .args(["--libs", "hybridlm >= 0.1"])
        .output()
        .map_err(|e| format!("{program}: {e}; install pkg-config, or set HYBRIDLM_LIB_DIR"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        return Err(format!("libhybridlm was not found; install it, or set HYBRIDLM_LIB_DIR to its folder\n{said}"));
    }
    for flag in String::from_utf8_lossy(&out.stdout).split_whitespace() {
        if let Some(dir) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={dir}");
            println!("cargo:libdir={dir}");
        } else if let Some(name) = flag.strip_prefix("-l") {
            println!("cargo:rustc-link-lib={name}");
        }
    }
    Ok(())
}
