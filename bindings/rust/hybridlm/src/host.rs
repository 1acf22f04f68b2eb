//! What the caller may supply to a model: files, memory, a log. `Host` holds it for as long as anything made from the
//! model lives, because the library keeps pointers to it.
use std::ffi::CStr;
use std::io;
use std::mem::size_of;
use std::os::raw::{c_char, c_void};
use std::ptr;

use crate::callback::muffled;
use crate::flags::LogLevel;
use crate::sys;

/// File access of the caller's: pack files, assets, memory. A panic in a method counts as a failure.
pub trait Files: Send + Sync {
    /// Opens a file. [`io::ErrorKind::NotFound`] where there is none: the library then tries other names.
    fn open(&self, path: &str) -> io::Result<Box<dyn File>>;
}

/// A file that [`Files::open`] opened. May be used by several threads at once.
pub trait File: Send + Sync {
    /// Bytes of the file; asked once, after opening.
    fn size(&self) -> io::Result<u64>;
    /// Fills `out` with the bytes at `offset`, or fails.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// The whole file, where it lies in memory. `None`: the library reads instead.
    fn bytes(&self) -> Option<&[u8]> {
        None
    }
}

/// Memory of the caller's. A panic in `allocate` counts as no memory.
///
/// # Safety
/// `allocate` returns null or a block that nothing else uses, of at least `size` bytes, aligned to `align` (a power of
/// two), which stays until `free` gets it.
pub unsafe trait Allocator: Send + Sync {
    /// A block of `size` bytes, never 0.
    fn allocate(&self, size: usize, align: usize) -> *mut u8;
    /// Takes back what `allocate` gave.
    ///
    /// # Safety
    /// `block` came from `allocate` of the same object and was not freed before.
    unsafe fn free(&self, block: *mut u8);
}

pub(crate) type Log = Box<dyn Fn(LogLevel, &str) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Host {
    pub(crate) log: Option<Log>,
    pub(crate) files: Option<Box<dyn Files>>,
    pub(crate) allocator: Option<Box<dyn Allocator>>,
}

/// What lies behind a file handle of the library. The size is asked once, so that a file that changes its mind can not
/// make the library read past its bytes.
struct Open {
    file: Box<dyn File>,
    size: u64,
}

impl Host {
    /// For the raw structs below: `user` of each is the host.
    fn user(&self) -> *mut c_void {
        self as *const Host as *mut c_void
    }

    pub(crate) fn raw_log(&self) -> sys::hlm_log {
        sys::hlm_log {
            struct_size: size_of::<sys::hlm_log>(),
            user: self.user(),
            write: Some(write),
            ..Default::default()
        }
    }

    pub(crate) fn raw_allocator(&self) -> sys::hlm_allocator {
        sys::hlm_allocator {
            struct_size: size_of::<sys::hlm_allocator>(),
            user: self.user(),
            alloc: Some(allocate),
            free: Some(free),
            ..Default::default()
        }
    }

    pub(crate) fn raw_vfs(&self) -> sys::hlm_vfs {
        sys::hlm_vfs {
            struct_size: size_of::<sys::hlm_vfs>(),
            user: self.user(),
            open: Some(open),
            size: Some(size),
            read_at: Some(read_at),
            map: Some(map),
            close: Some(close),
            ..Default::default()
        }
    }
}

/// # Safety
/// `user` came from `Host::user` of a host that is alive.
unsafe fn host<'a>(user: *mut c_void) -> &'a Host {
    unsafe { &*(user as *const Host) }
}

unsafe extern "C" fn write(user: *mut c_void, level: i32, text: *const c_char) {
    let (host, text) = unsafe { (host(user), CStr::from_ptr(text)) };
    muffled((), || {
        if let Some(log) = &host.log {
            log(LogLevel::from_raw(level), &text.to_string_lossy());
        }
    })
}

unsafe extern "C" fn allocate(user: *mut c_void, size: usize, align: usize) -> *mut c_void {
    let host = unsafe { host(user) };
    muffled(ptr::null_mut(), || host.allocator.as_ref().map_or(ptr::null_mut(), |a| a.allocate(size, align))).cast()
}

unsafe extern "C" fn free(user: *mut c_void, block: *mut c_void) {
    let host = unsafe { host(user) };
    muffled((), || {
        if let Some(a) = &host.allocator {
            unsafe { a.free(block.cast()) }
        }
    })
}

const NOT_FOUND: i32 = 1;
const FAILED: i32 = 2;

unsafe extern "C" fn open(user: *mut c_void, path: *const c_char, file: *mut *mut c_void) -> i32 {
    let (host, path) = unsafe { (host(user), CStr::from_ptr(path)) };
    let opened: io::Result<Box<Open>> = muffled(Err(io::ErrorKind::Other.into()), || {
        let files = host.files.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let path = path.to_str().map_err(|_| io::ErrorKind::NotFound)?;
        let file = files.open(path)?;
        let size = file.size()?;
        Ok(Box::new(Open { file, size }))
    });
    match opened {
        Ok(opened) => {
            unsafe { *file = Box::into_raw(opened).cast() };
            0
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => NOT_FOUND,
        Err(_) => FAILED,
    }
}

unsafe extern "C" fn size(_user: *mut c_void, file: *mut c_void, size: *mut u64) -> i32 {
    unsafe { *size = (*(file as *const Open)).size };
    0
}

unsafe extern "C" fn read_at(_user: *mut c_void, file: *mut c_void, offset: u64, out: *mut c_void, n: usize) -> i32 {
    let open = unsafe { &*(file as *const Open) };
    if n == 0 {
        return 0;
    }
    let out = unsafe {
        ptr::write_bytes(out as *mut u8, 0, n); // a slice must not show memory that nobody wrote
        std::slice::from_raw_parts_mut(out as *mut u8, n)
    };
    muffled(FAILED, || open.file.read_at(offset, out).map_or(FAILED, |()| 0))
}

unsafe extern "C" fn map(_user: *mut c_void, file: *mut c_void, data: *mut *const c_void) -> i32 {
    let open = unsafe { &*(file as *const Open) };
    let bytes = muffled(None, || open.file.bytes()).filter(|b| b.len() as u64 >= open.size);
    unsafe { *data = bytes.map_or(ptr::null(), |b| b.as_ptr().cast()) };
    0
}

unsafe extern "C" fn close(_user: *mut c_void, file: *mut c_void) {
    let open = unsafe { Box::from_raw(file as *mut Open) };
    muffled((), || drop(open))
}
